import { endingScenarios } from './endings.ts';
import { graphScenarios } from './graph.ts';
import { mapScenarios } from './maps.ts';
import { pauseScenarios } from './pauses.ts';
import { peopleScenarios } from './people.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [
  ...graphScenarios,
  ...mapScenarios,
  ...peopleScenarios,
  ...endingScenarios,
  ...pauseScenarios,
];
