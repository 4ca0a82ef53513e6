/** A connection to a member: one HTTP/2 session, and the clients of all services on it. */
import type { SecureClientSessionOptions } from "node:http2";

import type { DescService } from "@bufbuild/protobuf";
import type { Client, Interceptor } from "@connectrpc/connect";
import { Http2SessionManager, createGrpcTransport } from "@connectrpc/connect-node";

import { services } from "../contract/services.js";
import { offered } from "./calls.js";
import { retries } from "./retries.js";
import { type Token, authorization } from "./token.js";

type Services = typeof services;

/** Every service by capability, as in `revops.quoting.quotes`. */
export type Revops = {
  readonly [C in keyof Services]: {
    readonly [S in keyof Services[C]]: Services[C][S] extends DescService ? Client<Services[C][S]> : never;
  };
} & {
  /** Ends calls under way and the connection. */
  close(): void;
};

/** How to connect. */
export interface Options {
  /** As in `https://revops.example:7050`; `http` only on this machine, unless `plaintext` says that something else encrypts. */
  readonly baseUrl: string;
  readonly token?: Token;
  /** Milliseconds that a call may take that says nothing itself; a stream may take any time. Default 10,000. */
  readonly timeoutMs?: number;
  readonly plaintext?: boolean;
  /** Certificates and keys for TLS, as Node takes them: `ca`, `cert`, `key`. */
  readonly tls?: SecureClientSessionOptions;
  /** Run around each call, outside of everything else. */
  readonly interceptors?: readonly Interceptor[];
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Connects when the first call is made. */
export function connect({ baseUrl, token, timeoutMs = 10_000, plaintext = false, tls, interceptors = [] }: Options): Revops {
  const { protocol, hostname } = new URL(baseUrl);
  if (protocol === "http:" && !plaintext && !LOOPBACK.has(hostname)) {
    throw new TypeError(`baseUrl: calls to ${hostname} would be readable on the way: use https, or plaintext where a proxy encrypts`);
  }
  const closed = new AbortController();
  const sessionManager = new Http2SessionManager(baseUrl, {}, tls);
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    // The first is the outermost.
    interceptors: [...interceptors, ...(token === undefined ? [] : [authorization(token)]), retries(closed.signal)],
  });
  const capabilities = Object.entries(services).map(([capability, members]) => {
    const clients = Object.entries(members).map(([name, service]) => [name, offered(service, transport, timeoutMs)]);
    return [capability, Object.fromEntries(clients)];
  });
  const close = () => {
    closed.abort();
    sessionManager.abort();
  };
  return { ...Object.fromEntries(capabilities), close } as Revops;
}
