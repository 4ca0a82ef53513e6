/** The typed client of a revops member, over gRPC; the messages of a capability are in `@revops/client/<capability>/v1`. */
export { Code } from "@connectrpc/connect";

export { services } from "../contract/services.js";
export { type Options, type Revops, connect } from "./connect.js";
export { type Item, type Page, each, pages } from "./pages.js";
export { type FieldViolation, RevopsError } from "./refusal.js";
export type { Token } from "./token.js";
