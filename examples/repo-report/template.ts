import type { Task } from '../../domain/schemas/plan.ts';
import type { Template } from '../../domain/schemas/template.ts';
import type { SourceReader } from '../source-reader.ts';
import { createTaskBuilders, type TaskBuilders } from './task-builders.ts';

/** Files a batch: enough to make the start of a sandbox cheap, few enough that batches run side by side. */
const batchSize = 500;

/** Reports on a directory: files, lines by language, notes, licences, history; with a chart. */
export async function repoReport(source: SourceReader): Promise<Template> {
  const builders = createTaskBuilders(source);
  return {
    name: 'repo-report',
    description:
      'Reports on a directory: files, lines by language, TODO and FIXME, dependency licences and what changes most.',
    params: {
      type: 'object',
      properties: {
        directory: {
          type: 'string',
          minLength: 1,
          description: 'Absolute path of the directory, under a root that shell.run may mount.',
        },
        historyCommits: {
          type: 'integer',
          minimum: 1,
          maximum: 10_000,
          default: 1_000,
          description: 'How many of the newest commits to look at.',
        },
      },
      required: ['directory'],
      additionalProperties: false,
    },
    objective: 'Report on {{ params.directory }}',
    plan: {
      tasks: [
        ...(await measuring(builders, source)),
        ...(await reading(builders)),
        ...(await writing(builders, source)),
      ],
      output: {
        report: '{{ tasks.report.output.artifact }}',
        chart: '{{ tasks.chart.output.artifact }}',
        totals: '{{ tasks.totals.output }}',
      },
    },
  };
}

/** Lines and bytes by language: batch by batch, then once more at once. */
const measuring = async ({ shell, shellMap, compute }: TaskBuilders, source: SourceReader): Promise<Task[]> => [
  await shell('list', 'List the files', { script: 'list.sh' }),
  await compute('batches', 'Cut the list into batches', {
    script: 'batches.js',
    input: { stdout: '{{ tasks.list.output.stdout }}', batchSize },
  }),
  await shellMap('measure', 'Measure lines by language', {
    script: 'measure.sh',
    over: 'tasks.batches.output.batches',
    stdin: '{{ item }}',
  }),
  await shell('check', 'Measure everything at once', { script: 'check.sh' }),
  await compute('totals', 'Sum up and cross-check', {
    script: 'totals.js',
    input: {
      list: '{{ tasks.batches.output }}',
      batches: '{{ tasks.measure.output }}',
      check: '{{ tasks.check.output.stdout }}',
      languages: await source.json('languages.json'),
    },
  }),
];

const reading = async ({ shell }: TaskBuilders): Promise<Task[]> => [
  await shell('notes', 'Find TODO and FIXME', { script: 'notes.sh' }),
  await shell('licences', 'Read the licences of dependencies', { script: 'licences.sh' }),
  await shell('churn', "Read the history's churn", { script: 'churn.sh', stdin: '{{ params.historyCommits }}\n' }),
];

const writing = async ({ compute }: TaskBuilders, source: SourceReader): Promise<Task[]> => [
  await compute('compose', 'Compose the report', {
    script: 'report.js',
    input: {
      directory: '{{ params.directory }}',
      totals: '{{ tasks.totals.output }}',
      notes: '{{ tasks.notes.output.stdout }}',
      licences: '{{ tasks.licences.output.stdout }}',
      churn: '{{ tasks.churn.output.stdout }}',
    },
  }),
  {
    id: 'report',
    title: 'Write the report',
    kind: 'tool',
    tool: 'text.render',
    input: {
      template: await source.mustache('scripts/report.mustache'),
      data: '{{ tasks.compose.output }}',
      artifact: { name: 'report.md', mediaType: 'text/markdown' },
    },
  },
  await compute('draw', 'Draw the chart', { script: 'chart.js', input: { totals: '{{ tasks.totals.output }}' } }),
  {
    id: 'chart',
    title: 'Write the chart',
    kind: 'tool',
    tool: 'artifact.write',
    input: { name: 'chart.svg', mediaType: 'image/svg+xml', text: '{{ tasks.draw.output }}' },
  },
];
