CREATE TABLE task_durations (
  tenant text COLLATE "C" NOT NULL,
  task_type text COLLATE "C" NOT NULL,
  tasks bigint NOT NULL,
  mean_seconds double precision NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, task_type)
);
COMMENT ON TABLE task_durations IS 'How long tasks of a type took, the later ones counting more: domain/task-type.ts. Workers add every few seconds what they have seen; what one had not added when it died is lost.';
