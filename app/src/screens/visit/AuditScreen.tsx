import { answerProblems, newestForms, type Answer, type Form, type Question } from "@sampai/engine";
import { clipboardOutline } from "ionicons/icons";
import { useId, useState } from "react";
import { useNavigate, useParams } from "react-router-dom";
import { takePlace } from "../../device/location.ts";
import { useFacts, usePack } from "../../session/engine-context.tsx";
import { useCapture } from "../../session/use-capture.ts";
import { useForm } from "../../session/use-form.ts";
import { useWorkingDay } from "../../session/use-working-day.ts";
import { Empty } from "../../ui/Empty.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { Screen } from "../../ui/Screen.tsx";
import { useWords } from "../../ui/use-words.ts";
import { visitsOf } from "../../visits/visit-history.ts";

type Answers = Readonly<Record<string, Answer>>;
const readAnswers = (kept: unknown): Answers => (kept ?? {}) as Answers;

/** The audit as the reference pack's form asks it. */
export function AuditScreen() {
  const { t } = useWords();
  const pack = usePack();
  const id = useParams()["visit"] ?? "";
  const visit = visitsOf(useFacts()).find((each) => each.id === id);
  const form = pack === null ? undefined : newestForms(pack)[0];
  const back = `/visit/${id}`;
  if (form === undefined || visit === undefined) {
    return (
      <Screen title={t("audit.title")} back={back}>
        <Empty icon={clipboardOutline}>{form === undefined ? t("audit.noForm") : t("visit.notFound")}</Empty>
      </Screen>
    );
  }
  return <AuditForm form={form} visit={visit.id} store={visit.store} back={back} />;
}

function AuditForm({ form, visit, store, back }: { form: Form; visit: string; store: string; back: string }) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const day = useWorkingDay();
  const open = useForm(`audit/${visit}/${form.form}`, readAnswers);
  const { capture, busy, problem } = useCapture();
  const [tried, setTried] = useState(false);
  const problems = answerProblems(form, open.content);
  const problemOf = (question: string) => (tried ? problems.find((each) => each.question === question) : undefined);

  const submit = async () => {
    setTried(true);
    if (problems.length > 0 || open.id === null) {
      const first = problems[0]?.question;
      if (first !== undefined) document.getElementById(`question-${first}`)?.focus();
      return;
    }
    const place = await takePlace(day.working);
    const answers = Object.fromEntries(form.questions.map(({ id }) => [id, open.content[id] ?? null]));
    const fact = await capture({
      kind: "auditSubmitted",
      id: open.id,
      visit,
      store,
      place,
      body: { form: form.form, version: form.version, answers },
    });
    if (fact === null) return;
    await open.done();
    navigate(back);
  };

  return (
    <Screen
      title={form.title[language]}
      back={back}
      foot={
        <button type="button" className="button wide" disabled={busy || open.id === null} onClick={() => void submit()}>
          {t("audit.submit")}
        </button>
      }
    >
      <Problem text={problem} />
      <section className="card" aria-label={form.title[language]}>
        {form.questions.map((question) => {
          const found = problemOf(question.id);
          return (
            <QuestionField
              key={question.id}
              question={question}
              answer={open.content[question.id] ?? null}
              problem={found === undefined ? null : t(found.problem === "required" ? "audit.required" : "audit.whole")}
              change={(answer) => open.change({ ...open.content, [question.id]: answer })}
            />
          );
        })}
      </section>
    </Screen>
  );
}

interface QuestionFieldProps {
  readonly question: Question;
  readonly answer: Answer;
  readonly problem: string | null;
  readonly change: (answer: Answer) => void;
}

function QuestionField({ question, answer, problem, change }: QuestionFieldProps) {
  const { t, language } = useWords();
  const name = useId();
  const id = `question-${question.id}`;
  const label = (
    <>
      {question.label[language]}
      {!question.required && <span className="soft"> ({t("common.optional")})</span>}
    </>
  );
  const error = problem !== null && (
    <span id={`${id}-error`} className="error">
      {problem}
    </span>
  );
  const described = problem === null ? {} : { "aria-invalid": true, "aria-describedby": `${id}-error` };
  if (question.type === "boolean" || question.type === "choice") {
    const options =
      question.type === "boolean"
        ? [
            { value: true, text: t("common.yes") },
            { value: false, text: t("common.no") },
          ]
        : question.options.map((option) => ({ value: option.value, text: option.label[language] }));
    return (
      <div className="field">
        <fieldset className="choices" {...(problem === null ? {} : { "aria-describedby": `${id}-error` })}>
          <legend>{label}</legend>
          {options.map((option, index) => (
            <label key={String(option.value)} className="choice">
              <input
                type="radio"
                {...(index === 0 ? { id } : {})}
                name={name}
                checked={answer === option.value}
                onChange={() => change(option.value)}
              />
              <span>{option.text}</span>
            </label>
          ))}
        </fieldset>
        {error}
      </div>
    );
  }
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {question.type === "integer" ? (
        <input
          id={id}
          className="input"
          inputMode="numeric"
          autoComplete="off"
          value={answer === null ? "" : String(answer)}
          {...described}
          onChange={({ target }) => {
            const text = target.value.trim();
            if (text === "") change(null);
            else change(/^-?\d{1,15}$/.test(text) ? Number(text) : text);
          }}
        />
      ) : (
        <textarea
          id={id}
          className="input"
          maxLength={1_000}
          value={answer === null ? "" : String(answer)}
          {...described}
          onChange={({ target }) => change(target.value === "" ? null : target.value)}
        />
      )}
      {error}
    </div>
  );
}
