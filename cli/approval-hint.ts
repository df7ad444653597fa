/** The command that decides an approval, with its id whole so that it can be pasted. */
export const approvalHint = (id: string): string => `npx astra approval decide ${id} approve|reject`;
