import type { Template } from '../../domain/schemas/template.ts';
import type { SourceReader } from '../source-reader.ts';

/** Asks a person before it writes a greeting: the smallest goal with an approval. */
export async function approvedGreeting(source: SourceReader): Promise<Template> {
  return {
    name: 'approved-greeting',
    description: 'Asks for an approval, whose answer may change the words, then writes a greeting.',
    params: {
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 200, default: 'world', description: 'Who is greeted.' },
      },
      additionalProperties: false,
    },
    objective: 'Greet {{ params.name }} once somebody agrees',
    plan: {
      tasks: [
        {
          id: 'ask',
          title: 'Ask for the approval',
          kind: 'approval',
          prompt: 'Shall {{ params.name }} be greeted with these words? You may change them.',
          input: { greeting: 'Hello, {{ params.name }}!' },
        },
        {
          id: 'greet',
          title: 'Write the greeting',
          kind: 'tool',
          tool: 'text.render',
          input: {
            template: await source.mustache('greeting.mustache'),
            data: { greeting: '{{ tasks.ask.output.greeting }}' },
            artifact: { name: 'greeting.md', mediaType: 'text/markdown' },
          },
        },
      ],
      output: { greeting: '{{ tasks.greet.output.artifact }}' },
    },
  };
}
