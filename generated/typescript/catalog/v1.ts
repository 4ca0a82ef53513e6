// Generated from the contracts: never edited, `make proto` writes it anew.
export * from "../revops/catalog/v1/price_books_pb.js";
export * from "../revops/catalog/v1/products_pb.js";
