/**
 * The output of the command: its streams, its log, and the formats of texts for people and scripts.
 */
@NullMarked
package io.holdfast.cli.output;

import org.jspecify.annotations.NullMarked;
