/** Calls what each line of standard input says, and writes what came of it, a line each. */
import { createInterface } from "node:readline";

import { type DescMethod, type JsonObject, fromJson, toJson } from "@bufbuild/protobuf";
import { Code, type Revops, RevopsError, connect, services } from "@revops/client";

interface Line {
  readonly method: string;
  readonly request: JsonObject;
  readonly token: string;
  readonly headers: Record<string, string>;
}

type Call = (request: unknown, options: { headers: Record<string, string> }) => unknown;

const baseUrl = process.argv[2] ?? "";
const connections = new Map<string, Revops>();

function connection(token: string): Revops {
  const known = connections.get(token) ?? connect(token === "" ? { baseUrl } : { baseUrl, token });
  connections.set(token, known);
  return known;
}

function find(revops: Revops, fullName: string): { method: DescMethod; call: Call } {
  for (const [capability, members] of Object.entries(services)) {
    for (const [name, service] of Object.entries(members)) {
      const method = (service.methods as readonly DescMethod[]).find((each) => `${service.typeName}.${each.name}` === fullName);
      if (method !== undefined) {
        const client = (revops as unknown as Record<string, Record<string, Record<string, Call>>>)[capability]?.[name];
        return { method, call: client?.[method.localName] as Call };
      }
    }
  }
  throw new Error(`no method ${fullName}`);
}

async function told({ method: fullName, request, token, headers }: Line): Promise<JsonObject> {
  const { method, call } = find(connection(token), fullName);
  const message = fromJson(method.input, request);
  try {
    if (method.methodKind === "server_streaming") {
      const answers = [];
      for await (const answer of call(message, { headers }) as AsyncIterable<never>) {
        answers.push(toJson(method.output, answer));
      }
      return { answer: { answers } };
    }
    return { answer: toJson(method.output, (await call(message, { headers })) as never) };
  } catch (error) {
    if (!(error instanceof RevopsError)) {
      throw error;
    }
    const violations = error.violations.map(({ field, description }) => [field, description]);
    const { code, message, reason, domain, metadata } = error;
    return { refusal: { code: Code[code], message, reason, domain, metadata: { ...metadata }, violations } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await told(JSON.parse(line) as Line)));
}
connections.forEach((revops) => revops.close());
