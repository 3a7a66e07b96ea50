// <portal-chart data-source="id of a json_script">: bars or lines in the colours of the theme. A table with the same figures stands beside it.
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, TooltipComponent, AriaComponent, SVGRenderer]);

const figures = new Intl.NumberFormat(document.documentElement.lang || "en");
const HATCH = { symbol: "rect", rotation: -Math.PI / 4, dashArrayX: [1, 0], dashArrayY: [1.4, 2.6], symbolSize: 1 };
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

// ECharts reads rgb and not oklch, so a pixel of the colour is asked what it is.
function rgb(color) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
  return `rgb(${r},${g},${b})`;
}

function tokens(element) {
  const style = getComputedStyle(element);
  const of = (name) => rgb(style.getPropertyValue(name).trim());
  return {
    azure: of("--az"), appsource: of("--as"), accent: of("--color-primary"), grey: of("--faint"), surface: of("--color-base-100"), ink: of("--color-base-content"),
    faint: of("--faint"), line: of("--color-base-300"), neutral: of("--color-neutral"), onNeutral: of("--color-neutral-content"), font: style.fontFamily.replaceAll('"', ""),
  };
}

function bars(data, paint) {
  return data.series.map((one) => ({
    name: one.name, type: "bar", stack: data.stacked === false ? undefined : "all", data: one.values.map((value) => value || null), barCategoryGap: "26%", barMaxWidth: 36, cursor: data.urls ? "pointer" : "default",
    itemStyle: { color: paint[one.kind] ?? paint.accent, borderColor: one.kind === "appsource" ? paint.appsource : paint.surface, borderWidth: 0.75, decal: one.kind === "appsource" ? { ...HATCH, color: paint.surface } : undefined },
    emphasis: { disabled: true },
  }));
}

function lines(data, paint) {
  return data.series.map((one) => ({
    name: one.name, type: "line", data: one.values, symbol: "circle", symbolSize: 5, showSymbol: false, connectNulls: false, emphasis: { disabled: true },
    itemStyle: { color: paint[one.kind] ?? paint.accent }, lineStyle: { width: 2, color: paint[one.kind] ?? paint.accent, type: one.kind === "appsource" ? [6, 3] : "solid" },
  }));
}

// The period before: ink, dashed, on a halo of the surface so that it reads across bars.
function before(data, paint) {
  if (!data.before) return [];
  const line = { type: "line", data: data.before.values, symbol: "none", z: 5, emphasis: { disabled: true } };
  return [
    { ...line, name: "", silent: true, lineStyle: { width: 4, color: paint.surface }, itemStyle: { color: paint.surface }, tooltip: { show: false } },
    { ...line, name: data.before.name, z: 6, lineStyle: { width: 1.5, color: paint.ink, type: [4, 3] }, itemStyle: { color: paint.ink } },
  ];
}

function tooltip(paint) {
  return {
    trigger: "axis", renderMode: "richText", confine: true, backgroundColor: paint.neutral, borderWidth: 0, padding: [8, 12], shadowBlur: 0, shadowOffsetX: 0, shadowOffsetY: 0, shadowColor: "transparent",
    textStyle: { color: paint.onNeutral, fontSize: 12, fontFamily: paint.font, lineHeight: 18 },
    axisPointer: { type: "shadow", shadowStyle: { color: paint.faint, opacity: 0.12 } },
    formatter: (points) => [points[0].axisValueLabel, ...points.filter((point) => point.seriesName && point.value != null).map((point) => `${figures.format(point.value)}  ${point.seriesName}`)].join("\n"),
  };
}

// Four ticks, the lowest zero, the highest the first round figure that holds every bar.
function stepOf(data) {
  const tops = data.categories.map((_, at) => {
    const values = data.series.map((one) => one.values[at] ?? 0);
    return Math.max(data.type === "line" || data.stacked === false ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0), data.before?.values[at] ?? 0);
  });
  const wanted = Math.max(...tops, 3) / 3;
  const size = 10 ** Math.floor(Math.log10(wanted));
  // Fine steps where they stay whole numbers, so that the bars fill the height.
  return [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((digit) => digit * size >= wanted && Number.isInteger(digit * size)) * size;
}

// Labels the same number of days apart, the last day among them.
function labelled(count, room) {
  const apart = Math.max(1, Math.ceil((count - 1) / (room < 360 ? 2 : room < 640 ? 4 : 6)));
  return (at) => (count - 1 - at) % apart === 0;
}

function option(data, paint, moving, room) {
  const step = stepOf(data);
  const shown = labelled(data.categories.length, room);
  const label = { color: paint.faint, fontSize: 11.5, fontFamily: paint.font };
  return {
    textStyle: { fontFamily: paint.font },
    animation: moving, animationDuration: 160, animationDurationUpdate: 120,
    aria: { enabled: true, label: { description: data.label ?? "" } },
    grid: { left: 4, right: 4, top: 10, bottom: 2, containLabel: true },
    tooltip: tooltip(paint),
    xAxis: { type: "category", data: data.categories, axisTick: { show: false }, axisLine: { lineStyle: { color: paint.line } }, axisLabel: { ...label, interval: shown, alignMinLabel: "left", alignMaxLabel: "right", showMaxLabel: true }, boundaryGap: data.type !== "line" },
    yAxis: { type: "value", min: 0, max: step * 3, interval: step, axisLabel: { ...label, formatter: (value) => figures.format(value) }, splitLine: { lineStyle: { color: paint.line, type: [1, 3] } } },
    series: [...(data.type === "line" ? lines(data, paint) : bars(data, paint)), ...before(data, paint)],
  };
}

class PortalChart extends HTMLElement {
  connectedCallback() {
    const source = document.getElementById(this.dataset.source);
    if (!source) return;
    this.data = JSON.parse(source.textContent);
    this.setAttribute("role", "img");
    this.setAttribute("aria-label", this.data.label ?? "");
    this.chart = init(this, null, { renderer: "svg" });
    this.chart.on("click", (point) => { const url = this.data.urls?.[point.dataIndex]; if (url) location.assign(url); });
    this.sized = new ResizeObserver(() => { this.chart.resize(); this.draw(); });
    this.sized.observe(this);
    this.themed = new MutationObserver(() => { this.draw(); this.chart.getZr().flush(); });
    this.themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.draw();
  }

  disconnectedCallback() {
    this.sized?.disconnect();
    this.themed?.disconnect();
    this.chart?.dispose();
    this.chart = undefined;
    this.replaceChildren();
  }

  draw() {
    const moving = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.chart?.setOption(option(this.data, tokens(this), moving, this.clientWidth), true);
  }
}
customElements.define("portal-chart", PortalChart);
