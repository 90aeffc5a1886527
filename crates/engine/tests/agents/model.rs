//! A model server on loopback that says what the script says: in its first answer it has the agent write a file, in its second one it is done.
//! It speaks just enough HTTP/1.1, and of each protocol just what the agents need.

use serde_json::{Value, json};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// What the agents are made to write into `made.txt`.
pub(crate) const MADE: &str = "made by an agent\n";

/// Tokens that each answer says it took: all input, cached input among it, output with its thoughts, thoughts.
pub(crate) const TOKENS: [u64; 4] = [100, 40, 7, 2];

/// How the server answers.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// Has the file written.
    Work,
    /// Refuses every request for its rate.
    Refuse {
        /// Body of the answer.
        body: Value,
        /// Further headers.
        headers: &'static str,
    },
}

/// The server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Model {
    port: u16,
    asked: Arc<Mutex<Vec<Value>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Model {
    pub(crate) fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, over) = (Arc::<Mutex<Vec<Value>>>::default(), Arc::<AtomicBool>::default());
        let (heard, ends) = (Arc::clone(&asked), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ends.load(Ordering::Relaxed) {
                    break;
                }
                let (heard, script) = (Arc::clone(&heard), script.clone());
                std::thread::spawn(move || serve(stream, &heard, &script));
            }
        });
        Self { port, asked, over, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether this text was part of a request, as one string.
    pub(crate) fn was_told(&self, text: &str) -> bool {
        fn holds(value: &Value, text: &str) -> bool {
            match value {
                Value::String(found) => found == text,
                Value::Array(items) => items.iter().any(|item| holds(item, text)),
                Value::Object(entries) => entries.values().any(|entry| holds(entry, text)),
                _ => false,
            }
        }
        self.asked.lock().unwrap().iter().any(|asked| holds(asked, text))
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(stream: TcpStream, asked: &Mutex<Vec<Value>>, script: &Script) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Ok(Some((path, body))) = request(&mut reader) {
        let (status, kind, headers, text) = match script {
            Script::Refuse { body, headers } => {
                ("429 Too Many Requests", "application/json", *headers, body.to_string())
            }
            Script::Work => match answer(&path, &body) {
                Some((kind, text)) => ("200 OK", kind, "", text),
                None => ("404 Not Found", "application/json", "", "{}".to_owned()),
            },
        };
        asked.lock().unwrap().push(body);
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n{headers}\r\n",
            text.len()
        );
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text.as_bytes())).is_err() {
            return;
        }
    }
}

/// The next request: its path and body. `None`: there is none.
fn request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<(String, Value)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim().to_ascii_lowercase();
        match header.split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
            Some(("transfer-encoding", value)) => chunked = value.trim() == "chunked",
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    while chunked {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        let start = body.len();
        body.resize(start + size + 2, 0);
        reader.read_exact(&mut body[start..])?;
        body.truncate(start + size);
        chunked = size > 0;
    }
    Ok(Some((path, serde_json::from_slice(&body).unwrap_or(Value::Null))))
}

/// The answer in the protocol of the path, with its content type.
fn answer(path: &str, body: &Value) -> Option<(&'static str, String)> {
    const EVENTS: &str = "text/event-stream";
    if path.ends_with("/responses") {
        Some((EVENTS, responses(body)))
    } else if path.ends_with("/chat/completions") {
        Some((EVENTS, chat(body)))
    } else if path.contains(":streamGenerateContent") {
        Some((EVENTS, format!("data: {}\r\n\r\n", gemini(body))))
    } else if path.contains(":generateContent") {
        Some(("application/json", gemini(body).to_string()))
    } else {
        None
    }
}

/// OpenAI's Responses: one function call, then a message.
fn responses(body: &Value) -> String {
    let done = body["input"]
        .as_array()
        .is_some_and(|items| items.iter().any(|item| item["type"] == "function_call_output"));
    let item = if done {
        json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": "Done.", "annotations": []}]})
    } else {
        let arguments = json!({"cmd": format!("printf %s '{MADE}' > made.txt")}).to_string();
        json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "exec_command", "arguments": arguments})
    };
    let [input, cached, output, thoughts] = TOKENS;
    let usage = json!({"input_tokens": input, "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output, "output_tokens_details": {"reasoning_tokens": thoughts}, "total_tokens": input + output});
    [
        json!({"type": "response.created", "response": {"id": "resp_1"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "usage": usage}}),
    ]
    .iter()
    .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
    .collect()
}

/// Chat completions: one tool call, then a message. A request without tools wants a title.
fn chat(body: &Value) -> String {
    let done =
        body["messages"].as_array().is_some_and(|all| all.iter().any(|message| message["role"] == "tool"));
    let chunk = |delta: Value, end: Value| {
        json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body["model"],
            "choices": [{"index": 0, "delta": delta, "finish_reason": end}]})
    };
    let (delta, end) = if body["tools"].is_array() && !done {
        let arguments = json!({"filePath": "made.txt", "content": MADE}).to_string();
        let call = json!({"index": 0, "id": "call_1", "type": "function", "function": {"name": "write", "arguments": arguments}});
        (json!({"role": "assistant", "tool_calls": [call]}), "tool_calls")
    } else {
        (json!({"role": "assistant", "content": "Done."}), "stop")
    };
    let [input, cached, output, thoughts] = TOKENS;
    let usage = json!({"prompt_tokens": input, "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens": output, "completion_tokens_details": {"reasoning_tokens": thoughts}, "total_tokens": input + output});
    let last = json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body["model"], "choices": [], "usage": usage});
    let events = [chunk(delta, Value::Null), chunk(json!({}), end.into()), last];
    events.iter().map(|event| format!("data: {event}\n\n")).chain(["data: [DONE]\n\n".to_owned()]).collect()
}

/// Gemini's generateContent: one function call, then text.
fn gemini(body: &Value) -> Value {
    let parts = |contents: &Value| contents["parts"].as_array().cloned().unwrap_or_default();
    let contents = body["contents"].as_array().cloned().unwrap_or_default();
    let done = contents.iter().flat_map(parts).any(|part| part["functionResponse"].is_object());
    let part = if body["tools"].is_array() && !done {
        json!({"functionCall": {"name": "write_file", "args": {"file_path": "made.txt", "content": MADE}}})
    } else {
        json!({"text": "Done."})
    };
    let [input, cached, output, thoughts] = TOKENS;
    json!({"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": input, "cachedContentTokenCount": cached,
            "candidatesTokenCount": output - thoughts, "thoughtsTokenCount": thoughts, "totalTokenCount": input + output},
        "modelVersion": "scripted-1"})
}
