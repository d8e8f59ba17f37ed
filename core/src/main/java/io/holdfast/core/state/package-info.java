/**
 * The state that a daemon saves for its successor: files of named fields, in a folder of its own.
 * For the modules of Holdfast only.
 */
@NullMarked
package io.holdfast.core.state;

import org.jspecify.annotations.NullMarked;
