/** Scopes at run time: processes that others have started, grouped by the manager. */
@NullMarked
package io.holdfast.manager.scope;

import org.jspecify.annotations.NullMarked;
