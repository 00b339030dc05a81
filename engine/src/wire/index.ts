export * from "./codec.ts";
export * from "./day-certificate.ts";
export * from "./deflated.ts";
export * from "./folding-words.ts";
export * from "./limits.ts";
export * from "./messages.ts";
export * from "./refusals.ts";
export * from "./signing.ts";
