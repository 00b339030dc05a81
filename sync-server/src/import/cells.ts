import { z } from "zod";

// What a cell can hold. Each schema takes the cell's text, trimmed and not empty; its message completes the sentence
// "the cell …".

const matching = (pattern: RegExp, message: string) => z.string().regex(pattern, message);

/** An identifier: stands in document ids, addresses and file names, so it is plain ASCII. */
export const code = (max = 60) =>
  matching(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "is no code: letters, digits, dot, dash and underscore only").max(
    max,
    `is longer than ${max} characters`,
  );

export const words = (max: number) =>
  z
    .string()
    .max(max, `is longer than ${max} characters`)
    .refine((text) => !/\p{Cc}/u.test(text), "holds a control character");

export const wholeNumber = (min: number, max: number) =>
  matching(/^-?\d{1,15}$/, "is no whole number").transform((text, context) =>
    inBounds(Number(text), min, max, context),
  );

export const decimal = (min: number, max: number) =>
  matching(/^-?\d{1,9}(\.\d{1,12})?$/, "is no decimal number such as 2.7252").transform((text, context) =>
    inBounds(Number(text), min, max, context),
  );

/** Ringgit with at most two decimals → integer sen. */
export const ringgitAmount = () =>
  matching(/^\d{1,7}(\.\d{1,2})?$/, "is no amount in ringgit such as 12.90").transform((text) => {
    const [whole, part = ""] = text.split(".");
    return Number(whole) * 100 + Number(part.padEnd(2, "0"));
  });

export const yesNo = () => z.enum(["yes", "no"], "is neither yes nor no").transform((text) => text === "yes");

export const day = () => z.iso.date("is no date as YYYY-MM-DD");

export const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, `is none of ${values.join(", ")}`);

/** Some of these values with `|` between them. */
export const someOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z
    .string()
    .transform((text) => [...new Set(text.split("|").map((part) => part.trim()))])
    .pipe(z.array(z.enum(values, `holds what is none of ${values.join(", ")}`)));

/** Codes with `|` between them. */
export const codes = () =>
  z.string().transform((text, context) => {
    const parts = text.split("|").map((part) => part.trim());
    for (const part of parts) {
      if (part !== "*" && !code().safeParse(part).success) {
        context.addIssue(`holds "${part}", which is no code`);
        return z.NEVER;
      }
    }
    return [...new Set(parts)];
  });

/** `2026-W48`, or weeks from the import's own week on: `+0`, `+1`. */
export const week = () => matching(/^(\d{4}-W(0[1-9]|[1-4]\d|5[0-3])|\+\d)$/, "is no week such as 2026-W48 or +0");

/** Options of a choice: `value:English:Malay` with `|` between them. */
export const options = () =>
  z.string().transform((text, context) => {
    const parts = text.split("|").map((part) => part.split(":").map((piece) => piece.trim()));
    const read = parts.flatMap(([value, en, ms, ...rest]) => {
      if (value === undefined || en === undefined || ms === undefined || rest.length > 0) return [];
      if (value === "" || en === "" || ms === "") return [];
      return [{ value, label: { en, ms } }];
    });
    if (read.length !== parts.length || new Set(read.map(({ value }) => value)).size !== read.length) {
      context.addIssue("is no list such as none:None:Tiada|gift:Gift:Hadiah with each value once");
      return z.NEVER;
    }
    return read;
  });

function inBounds(value: number, min: number, max: number, context: z.RefinementCtx): number {
  if (value >= min && value <= max) return value;
  context.addIssue(`is not between ${min} and ${max}`);
  return z.NEVER;
}
