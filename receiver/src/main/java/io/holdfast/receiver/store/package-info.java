/** The journal files: which entries are written where, and which files are removed. */
@NullMarked
package io.holdfast.receiver.store;

import org.jspecify.annotations.NullMarked;
