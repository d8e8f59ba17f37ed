/** Scopes at run time: processes that others have started, held together by the manager. */
@NullMarked
package io.holdfast.manager.scope;

import org.jspecify.annotations.NullMarked;
