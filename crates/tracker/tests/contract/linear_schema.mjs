// Linear's GraphQL schema, read back from the types that its SDK publishes: they are generated from the schema, field by field.
import fs from "node:fs";
import path from "node:path";
import { buildSchema } from "graphql";

const BUILT_IN = ["ID", "String", "Boolean", "Int", "Float"];

/** The schema that the type declarations in a folder stand for. */
export function linearSchema(folder) {
  const file = fs.readdirSync(folder).find((name) => /^index-.*\.d\.mts$/.test(name));
  const text = fs.readFileSync(path.join(folder, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  const objects = new Map();
  for (const [, name, body] of text.matchAll(/^(?:export )?(?:declare )?type (\w+) = (?:\w+ & )*\{\n([\s\S]*?)^\};/gm)) {
    const fields = [...body.matchAll(/^  (\w+)\??: (.+);$/gm)].map(([, field, type]) => [field, type]);
    objects.set(name, new Map(fields));
  }
  const enums = new Map();
  for (const [, name, body] of text.matchAll(/^(?:export )?(?:declare )?enum (\w+) \{\n([\s\S]*?)^\}/gm)) {
    enums.set(name, [...body.matchAll(/= "([^"]+)"/g)].map(([, value]) => value));
  }
  const scalars = [...objects.get("Scalars").keys()];
  objects.delete("Scalars");

  /** A type of GraphQL for one of TypeScript; `null` where it has none here, such as unions. */
  function graphql(type) {
    const maybe = type.match(/^(?:Input)?Maybe<(.+)>$/);
    if (maybe) return graphql(maybe[1])?.replace(/!$/, "") ?? null;
    const list = type.match(/^Array<(.+)>$/);
    if (list) {
      const inner = graphql(list[1]);
      return inner && `[${inner}]!`;
    }
    const scalar = type.match(/^Scalars\["(\w+)"\]$/);
    if (scalar) return `${scalar[1]}!`;
    return objects.has(type) || enums.has(type) ? `${type}!` : null;
  }
  const named = (type) => type?.replace(/[[\]!]/g, "");
  const argsOf = (type, field) => objects.get(`${type}${field[0].toUpperCase()}${field.slice(1)}Args`);

  // What is reached from the roots, outputs by fields, inputs by arguments.
  const outputs = new Set(), inputs = new Set();
  function input(name) {
    if (!objects.has(name) || inputs.has(name)) return;
    inputs.add(name);
    for (const type of objects.get(name).values()) input(named(graphql(type)));
  }
  function output(name) {
    if (!objects.has(name) || outputs.has(name)) return;
    outputs.add(name);
    for (const [field, type] of objects.get(name)) {
      for (const argument of argsOf(name, field)?.values() ?? []) input(named(graphql(argument)));
      output(named(graphql(type)));
    }
  }
  ["Query", "Mutation"].forEach(output);

  const line = ([name, type], more = "") => (graphql(type) ? `  ${name}${more}: ${graphql(type)}` : null);
  const lines = [];
  for (const name of scalars) if (!BUILT_IN.includes(name)) lines.push(`scalar ${name}`);
  for (const [name, values] of enums) if (values.every((v) => /^\w+$/.test(v)) && values.length) lines.push(`enum ${name} { ${values.join(" ")} }`);
  for (const name of inputs) lines.push(`input ${name} {`, ...[...objects.get(name)].map((field) => line(field)).filter(Boolean), "}");
  for (const name of outputs) {
    const fields = [...objects.get(name)].filter(([field]) => field !== "__typename").map((field) => {
      const given = [...(argsOf(name, field[0]) ?? [])].map((argument) => line(argument)?.trim()).filter(Boolean);
      return line(field, given.length ? `(${given.join(", ")})` : "");
    });
    if (fields.some(Boolean)) lines.push(`type ${name} {`, ...fields.filter(Boolean), "}");
  }
  return buildSchema(lines.join("\n"), { assumeValidSDL: true });
}
