export const tables = "";

export const operations = {};
