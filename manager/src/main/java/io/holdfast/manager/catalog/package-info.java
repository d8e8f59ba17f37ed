/** Finds and reads unit files: of units that are loaded, pulled in or made at run time. */
@NullMarked
package io.holdfast.manager.catalog;

import org.jspecify.annotations.NullMarked;
