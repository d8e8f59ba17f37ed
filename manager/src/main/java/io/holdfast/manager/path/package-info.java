/** Path units: the wait for files and folders, and the start of the unit that they trigger. */
@NullMarked
package io.holdfast.manager.path;

import org.jspecify.annotations.NullMarked;
