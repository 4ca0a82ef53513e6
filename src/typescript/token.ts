/** The caller's token: a text, or where to get one when the member no longer takes the last. */
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

/** A JWT or an API key, or a function that gets one; it is called first when needed, and again when one was refused. */
export type Token = string | (() => Promise<string>);

/** Sends the token. One that is refused is replaced once, by one fetch however many calls want it. */
export function authorization(token: Token): Interceptor {
  let current: Promise<string> | undefined = typeof token === "string" ? Promise.resolve(token) : undefined;
  const fetched = (refused?: Promise<string>): Promise<string> => {
    if (current === undefined || (typeof token !== "string" && current === refused)) {
      current = (token as () => Promise<string>)();
      current.catch(() => (current = undefined));
    }
    return current;
  };
  return (next) => async (request) => {
    const sent = fetched();
    request.header.set("Authorization", `Bearer ${await sent}`);
    try {
      return await next(request);
    } catch (error) {
      if (typeof token === "string" || request.stream || ConnectError.from(error).code !== Code.Unauthenticated) {
        throw error;
      }
      request.header.set("Authorization", `Bearer ${await fetched(sent)}`);
      return next(request);
    }
  };
}
