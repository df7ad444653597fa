import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';

/** Equal for equal submissions, however they are written (RFC 8785). */
export function hashBody(submission: GoalSubmission): string {
  return hash('sha256', canonicalize(submission) ?? '', 'hex');
}
