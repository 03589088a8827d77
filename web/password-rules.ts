/** What a new password has to be. Pure. */
import { passwordProblem } from "../api/rules/user.ts";
import { NO_PROBLEMS, type Problems, problem, sentence } from "./problems.ts";

/** @returns what is wrong with a password that was typed twice. */
export function newPasswordProblems(password: string, repeated: string): Problems {
  const refused = passwordProblem(password);
  if (refused !== undefined) return problem(sentence(`The password ${refused}`), "password");
  if (password !== repeated) return problem("The two passwords are not the same.", "password_confirmation");
  return NO_PROBLEMS;
}
