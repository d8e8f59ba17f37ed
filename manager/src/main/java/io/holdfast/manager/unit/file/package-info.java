/** Unit files: their folders, the files that make up a unit, and their syntax. */
@NullMarked
package io.holdfast.manager.unit.file;

import org.jspecify.annotations.NullMarked;
