/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* TCP between two monitors, a local socket between a monitor and who controls it. */
#ifndef VMM_NET_H
#define VMM_NET_H

/* ADDRESS is IPV4:PORT; to listen, PORT alone will do.  A descriptor, or -1. */
int net_connect(const char *address);
int net_accept(const char *address);

/* Neither a read nor a write may take two minutes: the partner is gone. */
void net_limit(int fd);

int net_listen_local(const char *path);
int net_connect_local(const char *path);

#endif
