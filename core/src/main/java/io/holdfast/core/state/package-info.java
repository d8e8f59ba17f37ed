/**
 * What a daemon writes down for the one that comes after it: fields by name, a file each, in a
 * folder of its own. For the modules of Holdfast only.
 */
@NullMarked
package io.holdfast.core.state;

import org.jspecify.annotations.NullMarked;
