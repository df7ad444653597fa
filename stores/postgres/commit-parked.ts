/** The tasks that a commit parks, and those that are parked no more: by its goal alone. */
export const parkedClauses = `
unparked AS (
  DELETE FROM parked_tasks p USING unnest($1::text[], $2::text[], $3::text[]) AS u(tenant, goal_id, task_id), done
  WHERE p.tenant = u.tenant AND p.goal_id = u.goal_id AND p.task_id = u.task_id
    AND done.tenant = u.tenant AND done.goal_id = u.goal_id
), parked AS (
  INSERT INTO parked_tasks (tenant, goal_id, task_id, tool, title, reason, detail, error, attempt, parked_at)
  SELECT p.* FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::json[], $12::integer[], $13::timestamptz[])
    AS p(tenant, goal_id, task_id, tool, title, reason, detail, error, attempt, parked_at)
  JOIN done ON done.tenant = p.tenant AND done.goal_id = p.goal_id
  ON CONFLICT (tenant, goal_id, task_id) DO UPDATE SET tool = excluded.tool, title = excluded.title,
    reason = excluded.reason, detail = excluded.detail, error = excluded.error, attempt = excluded.attempt,
    parked_at = excluded.parked_at, told_at = NULL
)`;
