/** Integer sen → text for people, such as `RM 1,240.50`. */
export function ringgit(sen: number): string {
  const sign = sen < 0 ? "-" : "";
  const whole = Math.abs(sen);
  const text = `${Math.floor(whole / 100).toLocaleString("en-MY")}.${String(whole % 100).padStart(2, "0")}`;
  return `${sign}RM ${text}`;
}
