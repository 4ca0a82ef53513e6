/** What a test asks of the client: `node behaviour.js <what> <baseUrl> <token>…`; the answer is a line of JSON. */
import { Code, RevopsError, connect, each, pages } from "@revops/client";

const [what = "", baseUrl = "", ...tokens] = process.argv.slice(2);

/** Gives one token after the other, and the last again and again. */
let asked = 0;
async function source(): Promise<string> {
  asked += 1;
  await new Promise((resolve) => setTimeout(resolve, 10));
  return tokens[Math.min(asked, tokens.length) - 1] ?? "";
}

const [token] = tokens;
const revops = connect({ baseUrl, ...(tokens.length > 1 ? { token: source } : token === undefined ? {} : { token }) });
const { products, priceBooks } = revops.catalog;
const make = (productId: string) => products.createProduct({ product: { displayName: "P" }, productId });

const behaviours: Record<string, () => Promise<unknown>> = {
  async pages() {
    for (const id of ["m1", "m2", "m3", "m4", "m5"]) {
      await make(id);
    }
    const met = [];
    for await (const product of each(products.listProducts, { pageSize: 2 })) {
      met.push(product.name);
      if (met.length <= 2) {
        await make(`a${met.length}`);
        await make(`z${met.length}`);
      }
    }
    const sizes = [];
    for await (const page of pages(products.listProducts, { pageSize: 4 })) {
      sizes.push(page.products.length);
    }
    return { met, sizes };
  },
  async refresh() {
    await Promise.all(Array.from({ length: 8 }, () => products.listProducts({})));
    return { asked };
  },
  async create() {
    const request = { product: { displayName: "P" } };
    const { name } = await products.createProduct(request);
    return { name, untouched: !("requestId" in request) };
  },
  async late() {
    await products.getProduct({ name: "products/p" }, { timeoutMs: 200 });
  },
  async stream() {
    for await (const entry of priceBooks.streamPriceEntries({ parent: "priceBooks/none" })) {
      return { entry: entry.name };
    }
    return {};
  },
  async elsewhere() {
    connect({ baseUrl: "http://revops.example:7050" });
  },
};

try {
  console.log(JSON.stringify({ asked, ...((await behaviours[what]?.()) as object) }));
} catch (error) {
  if (error instanceof RevopsError) {
    const { code, reason, domain, metadata, requestId } = error;
    console.log(JSON.stringify({ code: Code[code], reason, domain, metadata, requestId, asked }));
  } else {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
revops.close();
