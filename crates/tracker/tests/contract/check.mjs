// Checks recorded exchanges against what GitHub and Linear publish. usage: node check.mjs EXCHANGES.json
import fs from "node:fs";
import path from "node:path";
import assert from "node:assert/strict";
import Ajv from "ajv";
import { execute, getVariableValues, parse, validate } from "graphql";
import { linearSchema } from "./linear_schema.mjs";

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const exchanges = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));

/** OpenAPI's `nullable` beside an `enum` or no `type`, which JSON Schema does not have: the same in its own words. */
function loosen(value) {
  if (value === null || typeof value !== "object") return;
  Object.values(value).forEach(loosen);
  if (value.nullable === true && Array.isArray(value.enum) && !value.enum.includes(null)) value.enum.push(null);
  if (value.nullable === true && value.type === undefined && !Array.isArray(value)) {
    const rest = { ...value };
    delete rest.nullable;
    Object.keys(value).forEach((key) => delete value[key]);
    value.anyOf = [{ type: "null" }, rest];
  }
}

// GitHub: the operation that a request means, its parameters, its body, its answer.
const github = JSON.parse(fs.readFileSync(path.join(here, "github.json"), "utf8"));
loosen(github);
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true, logger: false });
ajv.addSchema(github, "github");

const at = (pointer) => pointer.slice(2).split("/").reduce((value, part) => value[part.replaceAll("~1", "/").replaceAll("~0", "~")], github);
const resolved = (value) => (value.$ref ? at(value.$ref) : value);
const escaped = (part) => part.replaceAll("~", "~0").replaceAll("/", "~1");

/** The pointer of the schema of some content, following a reference. */
function contentPointer(value, pointer) {
  const whole = value.$ref ? value.$ref : pointer;
  const content = resolved(value).content;
  return content ? `github${whole}/content/${escaped("application/json")}/schema` : null;
}

function check(pointer, value, what) {
  const fits = ajv.compile({ $ref: pointer });
  assert.ok(fits(value), `${what}: ${JSON.stringify(fits.errors?.slice(0, 5), null, 1)}`);
}

for (const { method, path: asked, body, status, answer } of exchanges.github) {
  const what = `${method} ${asked}`;
  const url = new URL(asked, "http://x");
  const templates = Object.keys(github.paths).filter((template) => {
    const pattern = template.replace(/[.]/g, "\\.").replace(/\{[^}]+\}/g, "[^/]+");
    return new RegExp(`^${pattern}$`).test(url.pathname) && github.paths[template][method.toLowerCase()];
  });
  // A template without a slot where another one has one means more.
  templates.sort((a, b) => a.split("{").length - b.split("{").length);
  const template = templates[0];
  assert.ok(template, `${what}: there is no such operation`);
  const operation = github.paths[template][method.toLowerCase()];
  const pointer = `#/paths/${escaped(template)}/${method.toLowerCase()}`;
  const known = (operation.parameters ?? []).map(resolved).filter((p) => p.in === "query");
  for (const [name, value] of url.searchParams) {
    const parameter = known.find((p) => p.name === name);
    assert.ok(parameter, `${what}: there is no parameter ${name}`);
    const schema = resolved(parameter.schema);
    if (schema.enum) assert.ok(schema.enum.includes(value), `${what}: ${name}=${value}`);
    if (schema.type === "integer") assert.match(value, /^\d+$/);
  }
  if (operation.requestBody && body !== null) {
    check(contentPointer(operation.requestBody, `${pointer}/requestBody`), body, `${what}: body`);
    const schema = resolved(resolved(operation.requestBody).content["application/json"].schema);
    const names = [schema, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].flatMap((s) => Object.keys(resolved(s).properties ?? {}));
    for (const name of Object.keys(body)) assert.ok(names.includes(name), `${what}: there is no field ${name}`);
  } else {
    assert.equal(body, null, `${what}: no body is known`);
  }
  const response = operation.responses[status];
  assert.ok(response, `${what}: there is no answer ${status}`);
  check(contentPointer(response, `${pointer}/responses/${status}`), answer, `${what}: answer`);
}

// Linear: each document against the types, its variables, and its answer by carrying it out over it.
const schema = linearSchema(path.join(here, "node_modules/@linear/sdk/dist"));
for (const { body, answer } of exchanges.linear) {
  const document = parse(body.query);
  const what = body.query.split("(")[0];
  const errors = validate(schema, document);
  assert.deepEqual(errors.map(String), [], what);
  const variables = getVariableValues(schema, document.definitions[0].variableDefinitions, body.variables);
  assert.deepEqual((variables.errors ?? []).map(String), [], what);
  const done = await execute({ schema, document, rootValue: answer.data, variableValues: body.variables });
  assert.deepEqual((done.errors ?? []).map(String), [], what);
  assert.deepEqual(JSON.parse(JSON.stringify(done.data)), answer.data, what);
}

console.log(`${exchanges.github.length} exchanges of GitHub, ${exchanges.linear.length} of Linear fit what is published`);
