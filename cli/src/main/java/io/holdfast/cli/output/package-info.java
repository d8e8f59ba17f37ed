/**
 * What the command writes: the one way to its streams, its log, and texts for people and scripts.
 */
@NullMarked
package io.holdfast.cli.output;

import org.jspecify.annotations.NullMarked;
