/* A process that takes as little memory as possible and waits to be killed. Linked statically. */
#include <unistd.h>

int main(void) {
    for (;;)
        pause();
}
