import type { Form, Pack, Question } from "./pack.ts";

/** The form of that name: the version asked for, or the newest. */
export function formOf(pack: Pack, form: string, version?: number): Form | undefined {
  const versions = pack.forms.filter((candidate) => candidate.form === form);
  if (version !== undefined) return versions.find((candidate) => candidate.version === version);
  return versions.toSorted((a, b) => b.version - a.version)[0];
}

/** The newest version of every form, in the pack's order: what a rep can fill in. */
export function newestForms(pack: Pack): readonly Form[] {
  const names = [...new Set(pack.forms.map(({ form }) => form))];
  return names.map((name) => formOf(pack, name)).filter((form) => form !== undefined);
}

export type Answer = string | number | boolean | null;
/** `required`: no answer was given. `type`: not the kind of answer asked for. `unknown`: the form asks no such question. */
export interface AnswerProblem {
  readonly question: string;
  readonly problem: "required" | "type" | "unknown";
}

/** What is wrong with the answers to a form: an empty list where nothing is. */
export function answerProblems(form: Form, answers: Readonly<Record<string, Answer>>): readonly AnswerProblem[] {
  const asked = new Set(form.questions.map(({ id }) => id));
  const unknown = Object.keys(answers)
    .filter((question) => !asked.has(question))
    .map((question): AnswerProblem => ({ question, problem: "unknown" }));
  const wrong = form.questions.flatMap((question): AnswerProblem[] => {
    const answer = answers[question.id] ?? null;
    if (answer === null || answer === "") {
      return question.required ? [{ question: question.id, problem: "required" }] : [];
    }
    return fits(question, answer) ? [] : [{ question: question.id, problem: "type" }];
  });
  return [...wrong, ...unknown];
}

function fits(question: Question, answer: string | number | boolean): boolean {
  switch (question.type) {
    case "integer":
      return typeof answer === "number" && Number.isSafeInteger(answer);
    case "boolean":
      return typeof answer === "boolean";
    case "text":
      return typeof answer === "string";
    case "choice":
      return question.options.some(({ value }) => value === answer);
  }
}
