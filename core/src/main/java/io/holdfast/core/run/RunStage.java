package io.holdfast.core.run;

import io.holdfast.core.process.Spawn;

/**
 * One program of a run.
 *
 * @param spawn the run's own copy
 * @param mergeError whether its standard error goes where its standard output goes
 */
record RunStage(Spawn spawn, boolean mergeError) {}
