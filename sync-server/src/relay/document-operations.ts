export const tables = `
create table if not exists change (
  position integer primary key,
  doc text not null,
  hash text not null,
  device text not null,
  received text not null,
  bytes blob not null,
  unique (doc, hash)
) strict;
`;

export const operations = {};
