//! The real way to the API against a server on this host: what goes over the wire, and how a broken wire is told.

use banksman_forge::github::{
    Api, AppKey, Credential, HttpTransport, Secret,
    transport::{Kind, Request, SendError, Transport, Verb},
};
use jiff::Timestamp;
use ring::{
    rsa::KeyPair,
    signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A key that opens nothing; made for these tests.
const KEY: &[u8] = include_bytes!("app_key.pem");
const NOW: &str = "2026-11-21T12:00:00Z";

/// Serves these answers, one connection each, and remembers the requests. The server ends with its last answer.
async fn serve(answers: Vec<String>) -> (Api, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let api = Api::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = Arc::clone(&seen);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !whole(&request) {
                let read = stream.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..read]);
            }
            requests.lock().unwrap().push(String::from_utf8(request).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (api, seen)
}

/// Whether head and body of a request are there.
fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    body.len() >= length
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

fn open(api: Api, credential: Credential) -> HttpTransport {
    HttpTransport::open(api, credential, Arc::new(|| NOW.parse().unwrap())).unwrap()
}

fn token() -> Credential {
    Credential::Token(Secret::new("ghp_secret").unwrap())
}

fn request(path: &str, kind: Kind) -> Request {
    let body = (kind == Kind::Write).then(|| b"{}".to_vec());
    let verb = if kind == Kind::Write { Verb::Post } else { Verb::Get };
    Request {
        verb,
        path: path.to_owned(),
        headers: vec![("if-none-match", "\"x\"".to_owned())],
        body,
        kind,
        operation: "test",
    }
}

#[tokio::test]
async fn a_request_carries_its_token_and_says_which_version_it_speaks() {
    let (api, seen) = serve(vec![answer("200 OK", "etag: \"y\"\r\n", "{}")]).await;
    let response = open(api, token()).send(request("/repos/a/b", Kind::Read)).await.unwrap();
    assert_eq!((response.status, response.header("etag"), &*response.body), (200, Some("\"y\""), &b"{}"[..]));
    let request = seen.lock().unwrap()[0].clone();
    assert!(request.starts_with("GET /repos/a/b HTTP/1.1\r\n"), "{request}");
    for header in [
        "authorization: Bearer ghp_secret",
        "x-github-api-version: 2022-11-28",
        "if-none-match: \"x\"",
        "user-agent: banksman/",
    ] {
        assert!(request.contains(header), "{header} in {request}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed_by_the_wire() {
    let (api, _) = serve(vec![answer("302 Found", "location: https://evil.example/repos/x\r\n", "")]).await;
    let response = open(api, token()).send(request("/x", Kind::Read)).await.unwrap();
    assert_eq!((response.status, response.header("location")), (302, Some("https://evil.example/repos/x")));
}

#[tokio::test]
async fn a_broken_wire_says_whether_the_effect_may_have_happened() {
    // Nobody is there.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let api = Api::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let nobody = open(api, token()).send(request("/x", Kind::Write)).await;
    assert_eq!(nobody.err(), Some(SendError::NotSent));
    // The answer is cut off, or does not come.
    let cut = "HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"id\":".to_owned();
    for broken in [cut, String::new(), "HTTP/1.1 2".to_owned()] {
        let (api, _) = serve(vec![broken]).await;
        let end = open(api, token()).send(request("/x", Kind::Write)).await;
        assert_eq!(end.err(), Some(SendError::NoAnswer));
    }
}

/// What an app says about itself, if its signature is good.
fn claims(request: &str) -> serde_json::Value {
    let line = request.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap();
    let [head, claims, signature] = line.split('.').collect::<Vec<_>>().try_into().unwrap();
    let PrivateKeyDer::Pkcs8(key) = PrivateKeyDer::from_pem_slice(KEY).unwrap() else { panic!() };
    let pair = KeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref());
    public.verify(format!("{head}.{claims}").as_bytes(), &decoded(signature)).unwrap();
    serde_json::from_slice(&decoded(claims)).unwrap()
}

fn decoded(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut count, mut out) = (0u32, 0, Vec::new());
    for letter in text.bytes() {
        bits = bits << 6 | LETTERS.iter().position(|known| *known == letter).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

#[tokio::test]
async fn an_app_asks_for_a_token_once_and_corrects_a_wrong_clock() {
    let app = Credential::App { app: 12, installation: 34, key: AppKey::from_pem(KEY).unwrap() };
    let issued = r#"{"token":"ghs_installation","expires_at":"2026-11-21T14:00:00Z"}"#;
    let (api, seen) = serve(vec![
        // This host is an hour behind.
        answer("401 Unauthorized", "date: Sat, 21 Nov 2026 13:00:00 GMT\r\n", "{}"),
        answer("201 Created", "date: Sat, 21 Nov 2026 13:00:00 GMT\r\n", issued),
        answer("200 OK", "", "{}"),
        answer("200 OK", "", "{}"),
    ])
    .await;
    let transport = open(api, app);
    for _ in 0..2 {
        assert_eq!(transport.send(request("/x", Kind::Write)).await.unwrap().status, 200);
    }
    let seen = seen.lock().unwrap().clone();
    assert!(seen[0].starts_with("POST /app/installations/34/access_tokens "));
    let now = NOW.parse::<Timestamp>().unwrap().as_second();
    let (first, second) = (claims(&seen[0]), claims(&seen[1]));
    assert_eq!((&first["iss"], &first["iat"]), (&"12".into(), &(now - 60).into()));
    assert_eq!(second["iat"], now + 3600 - 60);
    for request in &seen[2..] {
        assert!(request.contains("Bearer ghs_installation"));
    }
}

#[tokio::test]
async fn an_app_that_was_removed_is_a_bad_credential() {
    let app = || Credential::App { app: 12, installation: 34, key: AppKey::from_pem(KEY).unwrap() };
    let (api, _) = serve(vec![answer("404 Not Found", "", "{}")]).await;
    assert_eq!(open(api, app()).send(request("/x", Kind::Write)).await.unwrap().status, 401);
    let (api, _) = serve(vec![answer("502 Bad Gateway", "", "")]).await;
    assert_eq!(open(api, app()).send(request("/x", Kind::Write)).await.err(), Some(SendError::NotSent));
    assert!(AppKey::from_pem(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").is_err());
}
