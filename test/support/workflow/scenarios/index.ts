import { beginningScenarios } from './beginnings.ts';
import { compensationScenarios } from './compensation.ts';
import { endingScenarios } from './endings.ts';
import { graphScenarios } from './graph.ts';
import { mapScenarios } from './maps.ts';
import { peopleScenarios } from './people.ts';
import { replanScenarios } from './replans.ts';
import { riskyScenarios } from './risky.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [
  ...beginningScenarios,
  ...graphScenarios,
  ...mapScenarios,
  ...peopleScenarios,
  ...riskyScenarios,
  ...replanScenarios,
  ...endingScenarios,
  ...compensationScenarios,
];
