/** List methods (AIP-158) to their end. */
import type { Message } from "@bufbuild/protobuf";
import type { CallOptions } from "@connectrpc/connect";

/** An answer of a List method. */
export type Page = Message & { readonly nextPageToken: string };

/** What a page holds: the messages of its repeated field. */
export type Item<P extends Page> = {
  [K in keyof P]-?: P[K] extends (infer I extends Message)[] ? I : never;
}[keyof P];

type List<Request, P extends Page> = (request: Request, options?: CallOptions) => Promise<P>;

/** Every page, each fetched when it is wanted: `for await (const page of pages(revops.catalog.products.listProducts, {}))`. */
export async function* pages<Request extends { pageToken?: string }, P extends Page>(
  list: List<Request, P>,
  request: Request,
  options?: CallOptions,
): AsyncIterable<P> {
  for (let next = request; ; ) {
    const page = await list(next, options);
    yield page;
    if (page.nextPageToken === "") {
      return;
    }
    next = { ...request, pageToken: page.nextPageToken };
  }
}

/** Every item of every page: `for await (const product of each(revops.catalog.products.listProducts, {}))`. */
export async function* each<Request extends { pageToken?: string }, P extends Page>(
  list: List<Request, P>,
  request: Request,
  options?: CallOptions,
): AsyncIterable<Item<P>> {
  for await (const page of pages(list, request, options)) {
    yield* Object.values(page).find(Array.isArray) as Item<P>[];
  }
}
