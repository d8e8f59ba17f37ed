/** What the tests of every module share: seeded generators, real children, declared needs. */
@NullMarked
package io.holdfast.core.testkit;

import org.jspecify.annotations.NullMarked;
