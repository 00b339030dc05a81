/** Why something did not happen, in a sentence; nothing that was typed is lost. Read out at once. */
export function Problem({ text }: { text: string | null }) {
  return (
    <div role="alert" className="problem">
      {text !== null && (
        <div className="card person">
          <p className="strong">{text}</p>
        </div>
      )}
    </div>
  );
}
