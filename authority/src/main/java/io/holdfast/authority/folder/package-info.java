/** Changes of folders, as they happen. */
@NullMarked
package io.holdfast.authority.folder;

import org.jspecify.annotations.NullMarked;
