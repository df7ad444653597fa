import type { ASTNode } from '@marcbachmann/cel-js';
import type { Json, JsonObject } from '../json.ts';
import type { Budget } from './budget.ts';
import type { Value } from './value.ts';

/** What the names in an expression stand for. Only what the expression refers to has to be there. */
export interface Scope {
  readonly goal?: { readonly input: JsonObject };
  /** The output is null for a task that was skipped, or that failed with `onFailure: continue`. */
  readonly tasks?: { readonly [taskId: string]: { readonly output: Json } };
  /** Of a map's item task. */
  readonly item?: Json;
  readonly index?: number;
  /** Of a plan made from a template. */
  readonly params?: JsonObject;
  /** What an inbound webhook was sent, with some of the request's headers. */
  readonly payload?: Json;
  readonly headers?: JsonObject;
  /** Of an expression with a vocabulary of its own: what its names stand for. */
  readonly own?: JsonObject;
}

/** The names of expressions that stand in no plan, each with any value or with the fields that it has. */
export type Vocabulary = { readonly [name: string]: readonly string[] | 'any' };

/** The names that are in scope in some places only. */
export const localNames = ['item', 'index', 'params', 'payload', 'headers'] as const;
export type LocalName = (typeof localNames)[number];

/** One evaluation under way. */
export interface Frame {
  readonly scope: Scope;
  readonly budget: Budget;
  /** Values of the variables of the comprehensions around, outermost first. */
  readonly variables: Value[];
}

/** A compiled expression. @throws EvaluationFault */
export type Run = (frame: Frame) => Value;

/** What the compiler knows and finds out about names. */
export interface Names {
  readonly variables: readonly string[];
  readonly tasks: Set<string>;
  readonly locals: Set<LocalName>;
  /** Instead of the names that plans use. */
  readonly vocabulary?: Vocabulary | undefined;
}

/** @throws SyntaxFault */
export type Compile = (node: ASTNode, names: Names) => Run;

export type Node<Op extends ASTNode['op']> = Extract<ASTNode, { op: Op }>;

/** Why a text is no expression. Inside of domain/expressions only: its users meet ASTRA_EXPRESSION_FAILED. */
export class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault';
  /** Counted in characters from 0. */
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}
