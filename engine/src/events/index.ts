// Events alone, for threads and programs that read and judge them and know no phone, document or photo.
export * from "./event.ts";
export * from "./kinds/index.ts";
