/** One value of a field: the whole field, or one row of a column. */
export interface FieldPlace {
  readonly field: string;
  readonly row: string | null;
}

/** `field` or `field/row`, as a view names its conflicts. */
export function placeOf(path: string): FieldPlace {
  const slash = path.indexOf("/");
  return slash < 0 ? { field: path, row: null } : { field: path.slice(0, slash), row: path.slice(slash + 1) };
}
