/**
 * {@code holdfast up}: runs a manager with its faces, the units of Holdfast's own stack, and what
 * it prints.
 */
@NullMarked
package io.holdfast.cli.up;

import org.jspecify.annotations.NullMarked;
