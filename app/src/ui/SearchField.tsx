import { useId } from "react";

interface SearchFieldProps {
  readonly label: string;
  readonly text: string;
  readonly change: (text: string) => void;
}

/** Finds as one types, among what is on this phone. */
export function SearchField({ label, text, change }: SearchFieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="search"
        className="input"
        autoComplete="off"
        value={text}
        onChange={({ target }) => change(target.value)}
      />
    </div>
  );
}
