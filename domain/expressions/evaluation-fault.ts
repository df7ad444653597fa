/** Why an expression has no value. Inside of domain/expressions only: its users meet ASTRA_EXPRESSION_FAILED. */
export class EvaluationFault extends Error {
  override readonly name = 'EvaluationFault';
}

/** The expression is too costly; unlike other faults it is not absorbed by `||`, `&&`, `all` and `exists`. */
export class BudgetFault extends EvaluationFault {}
