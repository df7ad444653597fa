import { beginningScenarios } from './beginnings.ts';
import { compensationScenarios } from './compensation.ts';
import { deadLetterScenarios } from './dead-letters.ts';
import { endingScenarios } from './endings.ts';
import { graphScenarios } from './graph.ts';
import { limitScenarios } from './limits.ts';
import { mapScenarios } from './maps.ts';
import { parkingScenarios } from './parking.ts';
import { pauseScenarios } from './pauses.ts';
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
  ...parkingScenarios,
  ...replanScenarios,
  ...deadLetterScenarios,
  ...endingScenarios,
  ...compensationScenarios,
  ...pauseScenarios,
  ...limitScenarios,
];
