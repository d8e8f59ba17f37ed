/** The files of units: where they are, which make up a name, and how they are parsed. */
@NullMarked
package io.holdfast.manager.unit.file;

import org.jspecify.annotations.NullMarked;
