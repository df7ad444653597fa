import { endingScenarios } from './endings.ts';
import { graphScenarios } from './graph.ts';
import { limitScenarios } from './limits.ts';
import { mapScenarios } from './maps.ts';
import { peopleScenarios } from './people.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [
  ...graphScenarios,
  ...mapScenarios,
  ...peopleScenarios,
  ...endingScenarios,
  ...limitScenarios,
];
