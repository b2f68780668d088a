/* Lets the real `xl -N create`, a dry run, read a domain on a host without Xen: preloaded, it answers for libxenctrl
 * and libxenstore with constants, those of a host with HVM, HAP and an IOMMU. No hypercall is made. */
#include <stddef.h>
#include <string.h>
#include <errno.h>
#include <xenctrl.h>
static char dummy[4096];
xc_interface *xc_interface_open(xentoollog_logger *a, xentoollog_logger *b, unsigned c) { return (void *)dummy; }
int xc_interface_close(xc_interface *h) { return 0; }
void *xs_open(unsigned long f) { return dummy; }
void xs_close(void *h) {}
int xs_fileno(void *h) { return 0; }
int xc_get_max_cpus(xc_interface *h) { return 4; }
int xc_get_max_nodes(xc_interface *h) { return 1; }
int xc_physinfo(xc_interface *h, xc_physinfo_t *p) {
    memset(p, 0, sizeof *p);
    p->nr_cpus = 4; p->max_cpu_id = 3; p->nr_nodes = 1; p->cpu_khz = 2000000;
    p->threads_per_core = p->cores_per_socket = 1;
    p->total_pages = p->free_pages = 1 << 22;
    p->capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_pv |
        XEN_SYSCTL_PHYSCAP_directio | XEN_SYSCTL_PHYSCAP_hap;
    return 0;
}
long xc_sharing_freed_pages(xc_interface *h) { return 0; }
long xc_sharing_used_frames(xc_interface *h) { return 0; }
int xc_sched_id(xc_interface *h, int *id) { *id = 0; return 0; }
int xc_version(xc_interface *h, int cmd, void *arg) {
    if (arg && cmd == 1) memset(arg, 0, 16);
    if (cmd == 7) return 4096;                     /* XENVER_pagesize */
    return cmd == 0 ? (4 << 16 | 17) : 0;
}
/* Xen >= 4.18 libxenctrl: string version queries return malloc'd strings */
char *xc_xenver_extraversion(xc_interface *h) { return strdup(".0"); }
char *xc_xenver_capabilities(xc_interface *h) { return strdup("xen-3.0-x86_64 hvm-3.0-x86_64"); }
char *xc_xenver_changeset(xc_interface *h) { return strdup("stub"); }
char *xc_xenver_commandline(xc_interface *h) { return strdup(""); }
char *xc_xenver_buildid(xc_interface *h) { return strdup(""); }
