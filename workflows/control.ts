import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  setHandler,
} from '@temporalio/workflow';
import type { EventDraft } from '../domain/schemas/event.ts';
import type { JsonObject } from '../domain/json.ts';
import { limits } from '../domain/limits.ts';
import { castVote, delegateVote, requireDelegation, requireVote, type PendingApproval } from './ballots.ts';
import {
  messages,
  type AmendPlanAnswer,
  type AmendPlanMessage,
  type CancelGoalArgs,
  type CarriedGoal,
  type DecideApprovalArgs,
  type DecideApprovalResult,
  type DelegateApprovalArgs,
  type DelegateApprovalResult,
  type DeliverEventArgs,
  type GoalViewQueryResult,
  type ProposeChangeAnswer,
  type ProposedChange,
} from './contract.ts';

export const cancelGoalSignal = defineSignal<[CancelGoalArgs]>(messages.cancelGoal);
export const deliverEventSignal = defineSignal<[DeliverEventArgs]>(messages.deliverEvent);
export const decideApprovalUpdate = defineUpdate<DecideApprovalResult, [DecideApprovalArgs]>(messages.decideApproval);
export const amendPlanUpdate = defineUpdate<AmendPlanAnswer, [AmendPlanMessage]>(messages.amendPlan);
export const proposeChangeUpdate = defineUpdate<ProposeChangeAnswer, [ProposedChange]>(messages.proposeChange);
export const delegateApprovalUpdate = defineUpdate<DelegateApprovalResult, [DelegateApprovalArgs]>(
  messages.delegateApproval,
);
export const goalViewQuery = defineQuery<GoalViewQueryResult>(messages.goalView);

type Edits = { readonly [approvalId: string]: JsonObject };

/** What reaches a running goal from outside. */
export interface GoalControl {
  /** Everything the goal does runs in here, so that one signal stops it. */
  readonly scope: CancellationScope;
  readonly cancelReason: string | null;
  /** As its signal does. */
  cancel(args: CancelGoalArgs): void;
  /** Has anybody who cancelled the goal asked to have its effects taken back? */
  readonly compensate: boolean;
  readonly approvals: Map<string, PendingApproval>;
  /** Events that no wait has taken yet, by name, oldest first. */
  readonly mailbox: Map<string, JsonObject[]>;
  /** What earlier runs were given instead of the input asked about. */
  readonly edits: Edits;
  /** Changes the plan; null until it runs, and when it runs no more. */
  amend: ((message: AmendPlanMessage) => Promise<AmendPlanAnswer>) | null;
  /** Asks people about a change of the plan; null as `amend` is. */
  propose: ((change: ProposedChange) => Promise<ProposeChangeAnswer>) | null;
  /** No plan will run any more. */
  ended: boolean;
  /** The goal begins a new history: what waits is given up here, to be opened again there. */
  continuing: boolean;
}

/** Installs the goal's message handlers. Call it before the first await, or early messages are lost. */
export function createControl(options: {
  /** By an earlier run of the goal. */
  readonly carried: Pick<CarriedGoal, 'mailbox' | 'edits'> | undefined;
  readonly record: (draft: EventDraft) => Promise<void>;
  readonly view: () => GoalViewQueryResult;
}): GoalControl {
  const { mailbox: letters = {}, edits = {} } = options.carried ?? {};
  const scope = new CancellationScope();
  const approvals = new Map<string, PendingApproval>();
  const mailbox = new Map(Object.entries(letters).map(([name, each]) => [name, [...each]]));
  let asked: CancelGoalArgs | null = null;
  let compensate = false;

  const cancel = (args: CancelGoalArgs): void => {
    asked ??= args;
    compensate ||= args.compensate === true;
    scope.cancel();
  };
  setHandler(goalViewQuery, options.view);
  setHandler(cancelGoalSignal, cancel);
  setHandler(deliverEventSignal, ({ name, data }) => {
    const letters = mailbox.get(name);
    const waiting = [...mailbox.values()].reduce((sum, each) => sum + each.length, 0);
    // They are carried from history to history, and there is a limit to what can be.
    if (waiting >= limits.mailboxEvents) log.warn('an event is dropped: too many wait to be taken', { event: name });
    else if (letters) letters.push(data);
    else mailbox.set(name, [data]);
  });
  setHandler(decideApprovalUpdate, (vote: DecideApprovalArgs) => castVote(approvals, vote, options.record), {
    validator: (vote: DecideApprovalArgs) => {
      requireVote(approvals, vote);
    },
  });
  setHandler(delegateApprovalUpdate, (args: DelegateApprovalArgs) => delegateVote(approvals, args, options.record), {
    validator: (args: DelegateApprovalArgs) => {
      requireDelegation(approvals, args);
    },
  });

  const control: GoalControl = {
    scope,
    cancel,
    approvals,
    mailbox,
    edits,
    amend: null,
    propose: null,
    ended: false,
    continuing: false,
    get cancelReason() {
      return asked?.reason ?? null;
    },
    get compensate() {
      return compensate;
    },
  };
  handlePlanChanges(control);
  return control;
}

/** Changes wait until the plan runs. */
function handlePlanChanges(control: GoalControl): void {
  const running = async (): Promise<void> => {
    await condition(() => control.amend !== null || control.ended);
  };
  const ending = (): ApplicationFailure =>
    ApplicationFailure.nonRetryable('The goal is ending.', 'ASTRA_GOAL_FINISHED');
  setHandler(amendPlanUpdate, async (message) => {
    await running();
    if (control.amend) return control.amend(message);
    throw ending();
  });
  setHandler(proposeChangeUpdate, async (change) => {
    await running();
    if (control.propose) return control.propose(change);
    throw ending();
  });
}
