/** What a call does beside being sent: a change gets an id, a call a deadline, and what fails is a `RevopsError`. */
import { randomUUID } from "node:crypto";

import { type DescMessage, type DescService, type MessageInitShape, type MessageShape, clone, create } from "@bufbuild/protobuf";
import { type CallOptions, type Transport, createClient } from "@connectrpc/connect";

import { RevopsError } from "./refusal.js";

type Request = MessageInitShape<DescMessage>;
type Unary = (request: Request, options?: CallOptions) => Promise<unknown>;
type Streaming = (request: Request, options?: CallOptions) => AsyncIterable<unknown>;
type Sending = (requests: AsyncIterable<Request>, options?: CallOptions) => Promise<unknown>;

/** The client of a service. `timeoutMs` is for calls that say nothing and do not stream. */
export function offered(service: DescService, transport: Transport, timeoutMs: number): object {
  const sent = createClient(service, transport) as object as Record<string, unknown>;
  const methods = service.methods.map(({ localName, methodKind, input }) => {
    const call = sent[localName];
    switch (methodKind) {
      case "unary":
        return [localName, unary(input, call as Unary, timeoutMs)];
      case "client_streaming":
        return [localName, sending(input, call as Sending)];
      default:
        return [localName, streaming(call as Streaming)];
    }
  });
  return Object.fromEntries(methods) as object;
}

function unary(input: DescMessage, call: Unary, timeoutMs: number): Unary {
  return async (request, options) => {
    const message = once(input, request);
    try {
      return await call(message, { timeoutMs, ...options });
    } catch (error) {
      throw new RevopsError(error, message.requestId ?? "");
    }
  };
}

function streaming(call: Streaming): Streaming {
  return async function* (request, options) {
    try {
      yield* call(request, options);
    } catch (error) {
      throw new RevopsError(error, "");
    }
  };
}

function sending(input: DescMessage, call: Sending): Sending {
  return async (requests, options) => {
    let requestId: string | undefined;
    async function* identified(): AsyncIterable<Request> {
      for await (const request of requests) {
        // The first request names the stream; the others only go on.
        const message = requestId === undefined ? once(input, request) : request;
        requestId ??= (message as { requestId?: string }).requestId ?? "";
        yield message;
      }
    }
    try {
      return await call(identified(), options);
    } catch (error) {
      throw new RevopsError(error, requestId ?? "");
    }
  };
}

/** The request; a change that has no `request_id` gets one, so that it happens once however often it is sent. */
function once(input: DescMessage, request: Request): MessageShape<DescMessage> & { requestId?: string } {
  const message: MessageShape<DescMessage> & { requestId?: string } = create(input, request);
  return message.requestId === "" ? Object.assign(clone(input, message), { requestId: randomUUID() }) : message;
}
